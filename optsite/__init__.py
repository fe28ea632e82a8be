"""The composition root: settings, addresses, tasks, staff pages, supervisor."""
