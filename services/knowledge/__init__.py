"""Knowledge: a company's articles, their search and their import."""
