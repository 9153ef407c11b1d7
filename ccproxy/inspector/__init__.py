"""What people see of an exchange: the conversation, its figures, its times. Pure: values in, text out."""
