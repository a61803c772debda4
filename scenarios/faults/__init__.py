"""What becomes of a conversation when frames are lost, doubled, late or changed on the way."""
