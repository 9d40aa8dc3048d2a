print("photos-simulator")
