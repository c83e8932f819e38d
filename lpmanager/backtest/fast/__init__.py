"""Fast mode: a market as float columns, and compiled loops over them."""
