"""Work in the background: the database holds each job, and a worker carries it out in chunks, each exactly once."""
