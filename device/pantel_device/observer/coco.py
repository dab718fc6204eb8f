"""The 80 classes of the COCO data set in the order that its detectors number them (Lin et al., 2014)."""

__all__ = ["COCO_CLASSES", "LIVING_AND_VEHICLES", "class_id_of", "label_of"]

COCO_CLASSES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard",
    "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip

LIVING_AND_VEHICLES = frozenset((*COCO_CLASSES[:9], *COCO_CLASSES[14:24]))
"""People, vehicles and animals: what a camera in the field is put up for. Furniture is background."""


def label_of(class_id: int) -> str:
    """Return the label of a number that a sprite tells; "" for 0 and numbers of no class."""
    return COCO_CLASSES[class_id - 1] if 1 <= class_id <= len(COCO_CLASSES) else ""


_STANDS_FOR = {"vehicle": "truck", "animal": "dog"}


def class_id_of(label: str) -> int:
    """Return the number by which a sprite tells its class: from 1 for those of COCO, 0 for others.

    A lorry stands for all vehicles that the bundled detector does not tell apart, and a dog for all animals.
    """
    label = _STANDS_FOR.get(label, label)
    return COCO_CLASSES.index(label) + 1 if label in COCO_CLASSES else 0
