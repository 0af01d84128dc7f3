"""An interpreter of the Amazon States Language, in the place of MiniStack's.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
"""
