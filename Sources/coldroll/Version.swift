/// The version of this program, as `coldroll --version` prints it and the worker rows carry it.
let coldrollVersion = "0.1.0"
