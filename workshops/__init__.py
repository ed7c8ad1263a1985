"""Who meets, what is on stage, who sees it: facilitators and participants."""
