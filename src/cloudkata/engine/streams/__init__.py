"""The poller of stream event source mappings: Kinesis and DynamoDB Streams, on their public operations."""
