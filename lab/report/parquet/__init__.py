"""A large capture's packets and flows as Parquet files."""
