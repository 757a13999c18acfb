"""The OpenAPI document, made from what the routes say of themselves and the Structs they read and write."""
