"""Appointments: times that people without an account book with somebody here, such as a parents' evening or office hours.

`offers.py`: what is offered, by whom; `free_slots.py`: when there is still a place; `bookings.py`: who has it.
"""
