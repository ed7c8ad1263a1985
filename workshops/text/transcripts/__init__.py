"""What was said in a group: files of video tools, who speaks in them, and no name left."""
