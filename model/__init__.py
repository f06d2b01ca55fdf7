"""Makes gyeot's model folders: import, training, export, and the default model's own recipe."""
