"""labelwise behind the interfaces of other libraries."""
