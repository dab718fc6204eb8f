"""The doctor: looks whether everything that a sender or a receiver needs is there, and says what to do where it is not.

It changes nothing and sends nothing; it does not even open a serial port, because that raises RTS, which keys radios.
Whatever it knows of the system it asks a `Machine`. To look at a broken installation as well, this module and what
`pantel doctor` imports first need nothing but the standard library.
"""

from pantel_device.doctor.finding import Finding, Section, Status

__all__ = ["Finding", "Section", "Status"]
