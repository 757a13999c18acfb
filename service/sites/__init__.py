"""Sites: the tenants, with their origins, their policy and the keys of their articles."""
