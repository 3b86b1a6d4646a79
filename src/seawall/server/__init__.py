"""The server: takes what agents say, remembers it, judges it and shows it. Assembly, no feature logic."""
