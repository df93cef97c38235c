"""Weighing shelves, the people at them and the goods on them: weights with their truth, faster than they happen."""
