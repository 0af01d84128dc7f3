def register(context): pass
