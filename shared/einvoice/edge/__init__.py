"""Where requests and messages come in and answers go out (邊界): nothing else knows API Gateway, SQS or pydantic."""
