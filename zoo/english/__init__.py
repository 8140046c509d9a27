"""Small English about a made-up world: words, facts, texts with their answers, and the truth about each word."""
