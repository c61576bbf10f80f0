"""The frame around every page: areas, side bar, banners, notices of quota, look."""
