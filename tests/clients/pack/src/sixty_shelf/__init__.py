"""What clients see come and go, as a third party would write it: nothing but what `sixty` exports."""
