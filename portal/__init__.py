"""The portal wing: partners, deals, devices, service jobs and the desk."""
