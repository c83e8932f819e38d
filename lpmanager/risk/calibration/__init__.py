"""What is learned from a long history now and then, and used from block to block with its age.

`fitting` makes a calibration and needs the extras `quant` and `ml`; to use one (`live`), to read
and to write it (`json_form`) needs none.
"""
