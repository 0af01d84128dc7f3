"""What a learner revises with."""
