"""The supply chain of the book: what it is made of, under which licences, and what is known against it."""
