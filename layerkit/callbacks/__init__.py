"""Callbacks of `fit`, `evaluate` and `predict`, and their progress display."""

from layerkit.callbacks.backup_and_restore import BackupAndRestore
from layerkit.callbacks.callback import Callback
from layerkit.callbacks.callback_list import CallbackList
from layerkit.callbacks.csv_logger import CSVLogger
from layerkit.callbacks.early_stopping import EarlyStopping
from layerkit.callbacks.history import History
from layerkit.callbacks.lambda_callback import LambdaCallback
from layerkit.callbacks.learning_rate_scheduler import LearningRateScheduler
from layerkit.callbacks.model_checkpoint import ModelCheckpoint
from layerkit.callbacks.progress import ProgbarLogger, Progress
from layerkit.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from layerkit.callbacks.remote_monitor import RemoteMonitor
from layerkit.callbacks.swap_ema_weights import SwapEMAWeights
from layerkit.callbacks.tensorboard import TensorBoard
from layerkit.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "Progress",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
