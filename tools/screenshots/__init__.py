"""Development only: pictures of every page, and what they share with the tests in a browser."""
