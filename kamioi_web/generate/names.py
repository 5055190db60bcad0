"""Names that account holders may have, by the part of the world a family comes from."""

ORIGINS: tuple[tuple[float, str, str], ...] = (
    (
        34,
        "James Mary John Linda Robert Susan Michael Karen William Emily David Sarah Daniel Hannah Matthew Grace Andrew"
        " Olivia Ryan Emma Tyler Abigail Jacob Megan Ethan Chloe Samuel Zoë Benjamin Rachel Thomas Laura",
        "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Thomas Moore Martin Clark Lewis Walker"
        " Hall Allen Young King Wright Scott Hill Green Adams Baker Nelson Carter Mitchell Roberts Turner Phillips",
    ),
    (
        19,
        "José María Luis Carmen Carlos Ana Juan Sofía Miguel Lucía Diego Valentina Javier Isabel Andrés Gabriela Rafael"
        " Elena Mateo Camila Alejandro Rosa Fernando Daniela",
        "García Rodríguez Martínez Hernández López González Pérez Sánchez Ramírez Torres Flores Rivera Gómez Díaz Reyes"
        " Morales Cruz Ortiz Gutiérrez Chávez Ramos Mendoza Vargas Castillo",
    ),
    (
        13,
        "Marcus Keisha Darnell Latoya Jamal Aaliyah Terrence Imani Malik Ebony Andre Jasmine Tyrone Nia Isaiah Destiny"
        " Xavier Kiara Elijah Monique",
        "Washington Jefferson Booker Banks Jackson Robinson Harris Coleman Brooks Bryant Gaines Hayes Dorsey Freeman"
        " Mosley Whitfield Tillman Beckford Grant Simmons",
    ),
    (
        8,
        "Priya Arjun Ananya Rohan Kavya Vikram Neha Sanjay Meera Rahul Divya Anil Pooja Amit Lakshmi"
        " Suresh Nisha Karthik",
        "Patel Sharma Singh Kumar Gupta Reddy Shah Iyer Mehta Nair Rao Desai Joshi Banerjee Chopra Kapoor Bose Menon",
    ),
    (
        7,
        "Wei Mei Jun Li Hao Xin Ming Yan Jie Ling Kevin Grace Tony Vivian Eric Jenny Feng Hui",
        "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo Lin Chan Wong Leung",
    ),
    (
        5,
        "Anh Minh Linh Tuan Thao Huy Trang Duc Mai Khanh Phuong Long Ngoc Quang",
        "Nguyen Tran Le Pham Hoang Phan Vu Dang Bui Do Ho Ngo Duong Ly",
    ),
    (
        4,
        "Ji-woo Min-jun Seo-yeon Hyun Soo-jin Daniel Eunice Joon Hana Grace Sung Yuna",
        "Kim Lee Park Choi Jung Kang Cho Yoon Jang Lim Han Shin",
    ),
    (
        4,
        "Omar Fatima Ahmed Layla Hassan Amira Yusuf Noor Karim Zainab Ali Mariam Tariq Salma",
        "Khan Ahmed Hassan Ali Hussein Mansour Haddad Khoury Nasser Rahman Aziz Saleh Farouk Abadi",
    ),
    (
        4,
        "Giulia Marco Katarzyna Piotr Anna Stefan Ingrid Lars Natasha Dmitri Zofia Luca Søren Petra",
        "Rossi Esposito Kowalski Nowak Müller Schmidt Hansen Larsen Ivanov Petrov Novák Bianchi Jensen Becker",
    ),
    (
        2,
        "Chinedu Ngozi Kwame Abena Tunde Amara Kofi Zainab Emeka Adaeze Sipho Thandi",
        "Okafor Adeyemi Mensah Nwosu Boateng Eze Balogun Owusu Diallo Abiodun Mbeki Asante",
    ),
)
TRADES = (
    "Plumbing LLC",
    "Landscaping",
    "Dental Group",
    "Roofing Inc",
    "Consulting LLC",
    "Catering",
    "Auto Group",
    "Photography",
    "Law PLLC",
    "Construction Co",
    "Realty",
    "Design Studio",
    "Electric LLC",
    "Bakery",
    "Cleaning Services",
    "Farms",
    "Logistics LLC",
    "Salon",
)
