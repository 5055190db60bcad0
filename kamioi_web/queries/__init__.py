"""All SQL, one module a subject. Nothing here knows of requests or of templates."""
