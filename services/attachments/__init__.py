"""Attachments: files on tickets and replies. Rows describe them; database/file_store/ keeps their bytes."""
