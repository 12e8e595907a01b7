"""The only place that knows SQL: the warehouse contract, the marts, the snapshot and the queries on it."""
