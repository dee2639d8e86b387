"""Law and arithmetic (法規與計算): pure, standard library only, the clock is an argument."""
