print("coldroll")
