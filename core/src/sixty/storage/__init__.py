"""Where the data lives: the columns, the statements, the two databases, the migrations."""
