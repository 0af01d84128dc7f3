"""A hands-on AWS course whose autograder proves what a learner's deployment does."""
