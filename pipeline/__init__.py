"""The batch: its records, states and transitions, and all that is done with batches and dead letters by and by.

``ports`` says what a store must be able to do and ``durable`` what a durable client must; the adapters stand elsewhere.
"""
