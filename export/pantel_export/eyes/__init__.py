"""The detector of the sender: labelled pictures, network, training, export."""
