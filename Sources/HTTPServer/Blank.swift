package enum Blank {}
