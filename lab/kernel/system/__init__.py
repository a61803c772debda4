"""System calls and capabilities that every part of the privileged edge needs."""
