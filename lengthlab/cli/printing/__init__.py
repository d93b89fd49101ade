"""The whole course as one page: notebooks to HTML, formulas to MathML, HTML to PDF or slides."""
