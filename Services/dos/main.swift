print("dos")
