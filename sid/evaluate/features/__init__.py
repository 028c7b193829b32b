"""What metrics compare: features of images, their moments, and moments kept or published."""
