"""Goes through a batch in its order."""


def in_order(records, handle, number):
    """Call `handle` for each record, and answer Lambda with where to go on; number(record) is its sequence number."""
    # kata: task checkpoint
    for index, record in enumerate(records):
        try:
            handle(record)
        except Exception as error:
            print(f"record {number(record)} failed: {error}")
            if index == 0:
                raise  # nothing is done yet, so there is nothing to cut off: have the batch halved
            return {"batchItemFailures": [{"itemIdentifier": number(record)}]}
    # kata: starter
    # for record in records:
    #     handle(record)
    # kata: end
    return {"batchItemFailures": []}
