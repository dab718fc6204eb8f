"""The configuration of the daemons: one frozen model each, from which files, variables and options follow."""

from pantel_device.config.line import LONGEST_S, default_state_dir
from pantel_device.config.load import ENVIRONMENT_PREFIX, load_config
from pantel_device.config.receiver import ReceiverConfig
from pantel_device.config.sender import SenderConfig

__all__ = ["ENVIRONMENT_PREFIX", "LONGEST_S", "ReceiverConfig", "SenderConfig", "default_state_dir", "load_config"]
