"""How sound the pool and its oracle are: what it costs to move them, and who carries them."""
