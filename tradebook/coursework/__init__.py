"""Chapters for teaching: fork one, deal pairs to a class, set and mark assignments, start a new chapter.

``chapters`` knows the chapters and their parameters; ``adequacy`` says for which cases the data suffice; ``forks``
makes a folder that runs alone, with ``rewriting`` for its notebook and ``pins`` for its packages; ``newchapter`` begins
one from a template. ``assignments`` makes both versions of an assignment out of ``exercises`` and ``gradingplan``;
``submissions`` runs what students hand in behind walls (``containment``, ``contained``), ``marking`` gives points, and
``markbook`` writes them down. ``fork_commands`` and ``assignment_commands`` are the commands of ``tradebook``.
"""
