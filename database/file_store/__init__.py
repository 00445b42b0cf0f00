"""Where the bytes of files are kept, beside the rows that describe them: in a folder or in an S3 bucket."""
