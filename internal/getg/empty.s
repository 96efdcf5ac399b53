// This file lets the compiler accept the functions without bodies in labels.go.
