"""Foyer on AWS Lambda behind API Gateway (docs/aws.md)."""
